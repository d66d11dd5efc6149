package app

// GapsAsInputs is gapsAsInputs.
var GapsAsInputs = gapsAsInputs

// TellInputs is tellInputs.
var TellInputs = tellInputs
