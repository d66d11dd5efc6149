package pattern

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression in the syntax of package regexp. Its methods are
// those of [regexp.Regexp] of the same names and safe for concurrent use.
type Pattern struct {
	text string
	get  func() *regexp.Regexp
}

// Later makes a pattern, to be compiled when it is first used; one that does not compile
// panics then. That all of ours compile is held by a test of package arch.
func Later(text string) *Pattern {
	return &Pattern{text, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// String gives the expression.
func (p *Pattern) String() string { return p.text }

// Match reports a match in b.
func (p *Pattern) Match(b []byte) bool { return p.get().Match(b) }

// MatchString reports a match in s.
func (p *Pattern) MatchString(s string) bool { return p.get().MatchString(s) }

// FindString gives the leftmost match in s, or "".
func (p *Pattern) FindString(s string) string { return p.get().FindString(s) }

// FindStringSubmatch gives the leftmost match in s and its groups, or nil.
func (p *Pattern) FindStringSubmatch(s string) []string { return p.get().FindStringSubmatch(s) }

// FindAllString gives at most n matches in s, all of them when n is negative.
func (p *Pattern) FindAllString(s string, n int) []string { return p.get().FindAllString(s, n) }

// FindAllStringSubmatch gives at most n matches in s with their groups, all of them when
// n is negative.
func (p *Pattern) FindAllStringSubmatch(s string, n int) [][]string {
	return p.get().FindAllStringSubmatch(s, n)
}

// ReplaceAllString replaces the matches in s; $1 stands for a group.
func (p *Pattern) ReplaceAllString(s, with string) string { return p.get().ReplaceAllString(s, with) }

// ReplaceAllStringFunc replaces the matches in s by what f gives for each.
func (p *Pattern) ReplaceAllStringFunc(s string, f func(string) string) string {
	return p.get().ReplaceAllStringFunc(s, f)
}

// Split gives what stands between the matches in s, at most n parts, all when n is negative.
func (p *Pattern) Split(s string, n int) []string { return p.get().Split(s, n) }
