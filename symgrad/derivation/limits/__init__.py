"""Questions of kind limit and special_case: laws, ways to a limit, named simplifications."""
