// Package pages has the console's page of the best practices, and one of each: what was
// judged last, what decided it, what settles what is unknown, and what brings it about. It
// judges nothing itself. Whoever sees some customers alone, or no people, sees the verdicts
// and not whom they are about.
package pages
