package intake

import (
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// Unjudged is a sink that takes the records that no rule is decided by, too: those of
// [evidence.Unjudged]. raw is valid only during the call. An error stops the reading.
type Unjudged interface {
	Unjudged(kind evidence.Kind, raw []byte, src evidence.Source) error
}

// unjudged hands on a record that is known and judged by nothing, to a sink that wants it.
func (f *file) unjudged(reason string, raw []byte, p place) error {
	kind := unjudged[reason]
	sink, wants := f.sink.(Unjudged)
	if kind == "" || !wants {
		return nil
	}
	if kind == evidence.RelationshipRequest || kind == evidence.RelationshipAction {
		raw = withRelationship(raw, f.facts.text(theTable.context), p)
	}
	if err := sink.Unjudged(kind, raw, f.at(p)); err != nil {
		return sinkError{err}
	}
	return nil
}

// withRelationship adds the id of the relationship that the page is of, where the page or
// the record says it. What the record says by a member of its own counts.
func withRelationship(raw []byte, context string, p place) []byte {
	_, set, _ := strings.Cut(context, "#")
	id := relationshipOf(set)
	if id == "" {
		id = relationshipOf(p.set)
	}
	if id == "" {
		return raw
	}
	return text.With(nil, "relationshipId", text.Quote(id), raw)
}

// relationshipOf is the id of the relationship that an entity set is a collection of, such as
// tenantRelationships/delegatedAdminRelationships('id')/accessAssignments, in lower case.
func relationshipOf(set string) string {
	set = strings.ToLower(set)
	_, rest, ok := strings.Cut(set, "delegatedadminrelationships(")
	if !ok {
		return ""
	}
	id, _, ok := strings.Cut(rest, ")")
	id = strings.Trim(id, "'\"")
	if !ok || id == "" || len(id) > 100 {
		return ""
	}
	return id
}
