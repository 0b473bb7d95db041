"""Training algorithms as LightningModules with manual optimization."""
