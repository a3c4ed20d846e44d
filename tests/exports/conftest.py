from tests.imports.conftest import convert, shared  # noqa: F401  fixtures
