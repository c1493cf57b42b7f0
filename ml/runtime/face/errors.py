"""Why a picture shows no face that can be compared.

FaceError (CaptureError)
├── NoFaceError           no_face
├── MultipleFacesError    multiple_faces
├── FaceTooSmallError     face_too_small
└── FaceTurnedAwayError   face_turned_away
"""

from ml.runtime.errors import CaptureError


class FaceError(CaptureError):
    """A picture without one usable face."""


class NoFaceError(FaceError):
    """Nothing in the picture looks like a face."""

    code = "no_face"


class MultipleFacesError(FaceError):
    """Several faces of like size: whose is meant is not for the service to guess."""

    code = "multiple_faces"


class FaceTooSmallError(FaceError):
    """The face has too few pixels."""

    code = "face_too_small"


class FaceTurnedAwayError(FaceError):
    """The face is seen from the side, or from too far below or above."""

    code = "face_turned_away"
