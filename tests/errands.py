"""What requests left to be done, done by the worker's role, as its job would."""

from __future__ import annotations

from django.db import transaction

from klankbord.desk.organisations.models import Errand
from klankbord.flows.works import errand
from roles import become_within


def run_errands() -> int:
    """Do all that waits; gives how many there were. Raises what a job would raise."""
    with transaction.atomic():
        become_within("worker")
        try:
            waiting = list(Errand.objects.order_by("created_at", "id").values_list("id", flat=True))
            for key in waiting:
                errand(errand_id=str(key))
        finally:
            become_within("app")
    return len(waiting)
