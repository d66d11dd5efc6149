package probe

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/problem"
)

// Bounds of what is read.
const (
	maxObject = 1 << 20
	maxRoles  = 500
	maxWord   = 200
)

type wireAccess struct {
	Roles []struct {
		ID string `json:"roleDefinitionId"`
	} `json:"unifiedRoles"`
}

func (w *wireAccess) ids() ([]string, bool) {
	if len(w.Roles) > maxRoles {
		return nil, false
	}
	out := []string{}
	for i := range w.Roles {
		if id := w.Roles[i].ID; id == "" || len(id) > maxWord {
			return nil, false
		}
		out = append(out, strings.ToLower(w.Roles[i].ID))
	}
	return out, true
}

func unreadable(what string) error {
	return problem.New(problem.BadInput, "Microsoft Graph's answer about %s cannot be read", what).WithHint("try again; tell the maintainers when it stays so")
}

// ReadRelationship reads a delegatedAdminRelationship of Graph, of 1 MB at most. One
// without a status is an error, not an ended one.
func ReadRelationship(raw []byte) (Relationship, error) {
	var in struct {
		Status  string     `json:"status"`
		Details wireAccess `json:"accessDetails"`
	}
	const what = "a delegated admin relationship"
	if len(raw) > maxObject || json.Unmarshal(raw, &in) != nil || in.Status == "" || len(in.Status) > maxWord {
		return Relationship{}, unreadable(what)
	}
	roles, ok := in.Details.ids()
	if !ok {
		return Relationship{}, unreadable(what)
	}
	return Relationship{Status: in.Status, Roles: roles}, nil
}

// ReadAssignment reads a delegatedAdminAccessAssignment of Graph, of 1 MB at most. One
// without a group or a status is an error.
func ReadAssignment(raw []byte) (Assignment, error) {
	var in struct {
		ID        string `json:"id"`
		Status    string `json:"status"`
		Container struct {
			ID string `json:"accessContainerId"`
		} `json:"accessContainer"`
		Details wireAccess `json:"accessDetails"`
	}
	const what = "an access assignment"
	if len(raw) > maxObject || json.Unmarshal(raw, &in) != nil || in.Status == "" || in.Container.ID == "" ||
		len(in.ID)+len(in.Status)+len(in.Container.ID) > maxWord {
		return Assignment{}, unreadable(what)
	}
	roles, ok := in.Details.ids()
	if !ok {
		return Assignment{}, unreadable(what)
	}
	return Assignment{ID: in.ID, Group: strings.ToLower(in.Container.ID), Status: in.Status, Roles: roles}, nil
}
