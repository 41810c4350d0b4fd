"""What benchmarks/update.py is made of: who runs, the floor in C, a whole training step, and the tables."""
