"""What a run costs, from what Lambda bills for it."""

from __future__ import annotations

#: US dollars for a gigabyte (2**30 bytes) of memory for a second, by architecture, and for a request: AWS's list prices
#: in us-east-1, 2026, without the free tier.
SECOND_PRICE = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
REQUEST_PRICE = 0.20 / 1_000_000


def run_cost(billed_ms: int, memory_mb: int, architecture: str = "x86_64") -> float:
    """US dollars for one run.

    Parameters
    ----------
    billed_ms : int
        What Lambda bills, milliseconds.
    memory_mb : int
        Memory of the function, MB.
    architecture : {"x86_64", "arm64"}
    """
    return billed_ms / 1000 * memory_mb / 1024 * SECOND_PRICE[architecture] + REQUEST_PRICE


def cost_text(usd: float) -> str:
    """A cost of one run in words that can be compared: small ones for a thousand such runs."""
    if usd >= 0.01:
        return f"{usd:.2f} USD"
    return f"{usd * 1000:.2g} USD for 1,000 runs"
