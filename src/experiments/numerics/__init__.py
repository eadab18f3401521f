"""Numerical routines that several stages share. They import no stage."""
