package app

// GapsAsInputs is gapsAsInputs.
var GapsAsInputs = gapsAsInputs
