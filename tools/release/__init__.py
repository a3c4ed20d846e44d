"""What a release is made of: the wheel, a wheelhouse, the list of components, provenance, licences.

Only what is committed goes into it. Nothing here signs: people do (docs/security/releases.md).
"""
