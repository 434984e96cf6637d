"""Claims and records in, verdicts out."""

from harness.claims.evaluation import CellResult, ClaimResult, evaluate_claims
from harness.claims.verdicts import VERDICTS, Verdict

__all__ = ["VERDICTS", "CellResult", "ClaimResult", "Verdict", "evaluate_claims"]
