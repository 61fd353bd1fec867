"""What kernel's serializer fields look like in OpenAPI. Imported by kernel.api, so that drf-spectacular finds it."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema


class FenFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # drf-spectacular has no types
    target_class = "kernel.fields.FenField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """An integer within its bounds."""
        return {
            "type": "integer",
            "format": "int64",
            "minimum": self.target.minimum,
            "maximum": self.target.maximum,
        }
