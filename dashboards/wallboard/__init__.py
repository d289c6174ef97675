"""The wallboard: a page on a TV or a phone, fed by server-sent events, that never lets an old number look live."""
