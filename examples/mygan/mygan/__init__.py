"""Parts of a GAN that are installed beside the suite."""
