"""The files of other registers, read and converted by crosswalks. Only edges import it."""
