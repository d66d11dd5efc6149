// Package config gathers the settings of every part: from flags, environment
// variables, one YAML file and defaults, in that order, and remembers where
// each came from.
//
// The file is strict: an unknown name is an error with its line. Secrets do not
// belong in it; settings that lead to one name a file or a service. What is
// shown is redacted all the same.
package config
