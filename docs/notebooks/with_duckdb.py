# %% [markdown]
# Five questions to a register, with DuckDB. Needs: pip install duckdb

# %%
import duckdb

PACKAGE = "https://algorithms.example/exports/register/latest"
db = duckdb.connect()
for table in ("records", "assessments", "contracts", "suppliers", "affected_groups"):
    db.execute(f"create view {table} as from '{PACKAGE}/{table}.parquet'")

# %% [markdown]
# A2. How many are in use without a completed assessment?

# %%
a2 = db.execute("""
    select count(*) from records where "lifecycle.status" = 'in_use'
      and id not in (select record_id from assessments where status = 'completed')
""").fetchall()
a2

# %% [markdown]
# A5. What was bought without competition?

# %%
a5 = db.execute("""
    select coalesce("sector.primary", 'not_stated') as sector, count(*)
    from contracts join records on record_id = id
    where procedure in ('negotiated', 'purchase_order') group by all order by all
""").fetchall()
a5

# %% [markdown]
# P5. From which countries are suppliers?

# %%
p5 = db.execute("""
    select country, count(distinct record_id) from suppliers
    where country is not null group by all order by all
""").fetchall()
p5

# %% [markdown]
# J2. Who supplies biometric systems?

# %%
j2 = db.execute("""
    select suppliers.name, count(distinct record_id) from suppliers join records on record_id = id
    where "risk.annex_iii_area" = 'biometrics' group by all order by all
""").fetchall()
j2

# %% [markdown]
# L1. How many are used on minors, or on migrants?

# %%
l1 = db.execute("""
    select count(distinct record_id) from affected_groups
    where value in ('minors', 'migrants_asylum')
""").fetchall()
l1
