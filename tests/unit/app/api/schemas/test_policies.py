"""Policies as they arrive: what is left out is what the domain decides without it."""

from app.api.schemas.policies import CalibratedPolicyBody
from app.domain.policies import CalibratedPolicy


class TestCalibratedPolicyBody:
    def test_a_body_without_fields_is_the_default_policy(self):
        body = CalibratedPolicyBody(kind="calibrated")

        assert body.to_domain() == CalibratedPolicy()
