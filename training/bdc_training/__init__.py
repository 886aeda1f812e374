"""Training and export of bdc_occ's networks."""
