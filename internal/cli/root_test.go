package cli

// Root is for tests that look at the commands and run none.
var Root = newRoot
