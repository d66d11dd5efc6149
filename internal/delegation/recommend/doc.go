// Package recommend derives the least roles of each access assignment from observed use,
// says of each role that would go by what evidence it goes, groups the sets into few
// templates, and replays the recorded acts against the result. It never asks for a
// privileged role that no act needed, and never takes away a role that an act needed.
package recommend
