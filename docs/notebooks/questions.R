# Five questions to a register. Needs: install.packages(c("arrow", "dplyr"))
library(arrow)
library(dplyr)

package <- "https://algorithms.example/exports/register/latest"
read <- function(name) read_parquet(paste0(package, "/", name, ".parquet"))
records <- read("records")
suppliers <- read("suppliers")

# A2. How many are in use without a completed assessment?
completed <- read("assessments") |> filter(status == "completed")
records |> filter(lifecycle.status == "in_use", !id %in% completed$record_id) |> nrow()

# A5. What was bought without competition?
read("contracts") |>
  filter(procedure %in% c("negotiated", "purchase_order")) |>
  inner_join(records, by = c("record_id" = "id")) |>
  count(sector.primary)

# P5. From which countries are suppliers?
suppliers |> filter(!is.na(country)) |> distinct(country, record_id) |> count(country)

# J2. Who supplies biometric systems?
biometric <- records |> filter(risk.annex_iii_area == "biometrics")
suppliers |> filter(record_id %in% biometric$id) |> distinct(name, record_id) |> count(name)

# L1. How many are used on minors, or on migrants?
read("affected_groups") |> filter(value %in% c("minors", "migrants_asylum")) |> distinct(record_id) |> nrow()
