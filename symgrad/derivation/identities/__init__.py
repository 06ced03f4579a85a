"""Questions of kind identity: proofs in named steps, or counterexamples."""
