"""One router per noun: parse, call one service, map to a schema."""
