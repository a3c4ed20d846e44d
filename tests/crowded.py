"""An agency with thousands of records that are called nearly the same."""

COMMUNE = "Prévision de la demande en eau potable par quartier de la commune de {}"


async def crowd(connection, record, count):
    """Copy the published record so many times, with all that it is found by."""
    await connection.execute(
        "insert into record select id || '-' || i, agency, origin, state, version, entry"
        " from record, generate_series(1, $2) as i where id = $1",
        record,
        count,
    )
    await connection.execute("set session_replication_role = replica")
    await connection.execute(
        "insert into section select record || '-' || i, version, key, value, salts, commitment"
        " from section, generate_series(1, $2) as i where record = $1 and key = 'name'",
        record,
        count,
    )
    await connection.execute(
        "insert into blocking_key select key, record || '-' || i"
        " from blocking_key, generate_series(1, $2) as i where record = $1",
        record,
        count,
    )
    await connection.execute("analyze blocking_key")
