// Package yamlguard looks at a YAML file of a person before a parser follows it:
// what is nested deeper than any such file needs, and what makes a short file long.
// It decides nothing about meaning, and says only where a thing stands.
package yamlguard
