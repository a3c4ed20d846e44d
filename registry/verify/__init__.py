"""What a stranger checks, with no trust in the register: log, record, page, copies, and answers.

It has neither store nor services, and no database driver: `log`, `tlog`, `record`, `text` and what
lies below them are enough. What renders pages again to compare them is in `pages`.
"""
