package console

// SafePath is safePath, for tests.
var SafePath = safePath
