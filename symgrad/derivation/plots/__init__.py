"""Questions of kind plot: curves and surfaces, computed from the forward model."""
