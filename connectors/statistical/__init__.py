"""Statistical files: SPSS, Stata and SAS, parsed in a process of their own."""
