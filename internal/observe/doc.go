// Package observe has what features are watched by: gauges that are read from
// where things are kept, at the moment somebody asks for them.
package observe
