"""Operations of the simulated Gong, grouped as in `sources/gong/resources`."""
