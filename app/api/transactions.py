"""One request as its answer names it."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import Depends, Request

from app.domain.scores import Decision


class Transaction:
    """Its id, how long it has taken, and where its decision is counted."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.id = str(request.state.transaction_id)

    def processing_ms(self) -> float:
        """Since the body was complete."""
        complete_s: float = self._request.state.complete_s
        return round((time.perf_counter() - complete_s) * 1e3, 3)

    def decided(self, use_case: str, decision: Decision) -> None:
        """Count a decision, and put it into the request's line in the log."""
        self._request.app.state.metrics.decided(use_case=use_case, decision=decision.value)
        self._request.state.decision = decision.value


async def _transaction(request: Request) -> Transaction:
    return Transaction(request)


ThisTransaction = Annotated[Transaction, Depends(_transaction)]
