"""Record what a checkout shows to the outside, and compare two recordings.

It drives the command `registry`, HTTP and the files that they write, and never imports the package:
so it works on older commits and whatever the modules are called. `shim/` fixes salts, keys and the
clock of the recorded processes, so that two recordings of one commit are equal. `questions.txt`
lists what is asked over HTTP, `commands.txt` what is run, `wanted.txt` which differences are meant.
"""
