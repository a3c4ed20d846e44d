"""The filing office: pages where people file, review and sign in; use cases are in `services`."""
