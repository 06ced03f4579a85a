"""Questions of kind optimum, bound and convexity: where, how much, and why nothing is better."""
