// Package observe has what features are watched by: gauges that are read from
// where things are kept, at the moment somebody asks for them; and traces, by
// OpenTelemetry, off unless somebody names where they go.
//
// A span says what was done, for how long and how it ended: fixed words, the names
// of routes and kinds of jobs, hosts and templates of paths. It never has an id, a
// query, a header, a body or the words of an error; and whatever goes into one is
// escaped and cut all the same ([Text]).
package observe
