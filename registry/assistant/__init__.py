"""What an assistant (Model Context Protocol) asks a register at its address, each answer cited.

It has neither store nor services: a stranger runs it. It needs the optional dependency `mcp`.
"""
