"""The fault table: what every kind says of every fault. Its rows are made of what each kind's own test module says."""
