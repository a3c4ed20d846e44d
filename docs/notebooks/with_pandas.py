# %% [markdown]
# Five questions to a register, with pandas. Needs: pip install pandas pyarrow

# %%
import pandas

PACKAGE = "https://algorithms.example/exports/register/latest"


def table(name):
    return pandas.read_parquet(f"{PACKAGE}/{name}.parquet")


records, suppliers = table("records"), table("suppliers")

# %% [markdown]
# A2. How many are in use without a completed assessment?

# %%
assessments = table("assessments")
completed = assessments[assessments["status"] == "completed"]["record_id"]
in_use = records[records["lifecycle.status"] == "in_use"]
a2 = int((~in_use["id"].isin(completed)).sum())
a2

# %% [markdown]
# A5. What was bought without competition?

# %%
contracts = table("contracts")
alone = contracts[contracts["procedure"].isin(["negotiated", "purchase_order"])]
bought = records[records["id"].isin(alone["record_id"])]
a5 = bought["sector.primary"].fillna("not_stated").value_counts().sort_index()
a5

# %% [markdown]
# P5. From which countries are suppliers?

# %%
p5 = suppliers.groupby("country")["record_id"].nunique()
p5

# %% [markdown]
# J2. Who supplies biometric systems?

# %%
biometric = records[records["risk.annex_iii_area"] == "biometrics"]["id"]
j2 = suppliers[suppliers["record_id"].isin(biometric)].groupby("name")["record_id"].nunique()
j2

# %% [markdown]
# L1. How many are used on minors, or on migrants?

# %%
groups = table("affected_groups")
l1 = groups[groups["value"].isin(["minors", "migrants_asylum"])]["record_id"].nunique()
l1
