"""Terms and constraints on the discriminator: where, of what, and what is asked of the gradient."""
