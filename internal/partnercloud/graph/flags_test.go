package graph

import "testing"

// TestFlagsInOrder: flags come back in the order of their enumeration, each once.
func TestFlagsInOrder(t *testing.T) {
	t.Parallel()
	fs := fields{"who": flags("none internalGuest b2bCollaborationGuest serviceProvider"), "users": obj(fields{"flows": flags("a b")})}
	got := fill(fs, map[string]any{"who": "serviceProvider, internalGuest,serviceProvider", "users": map[string]any{"flows": "b,a"}})
	if got["who"] != "internalGuest,serviceProvider" || got["users"].(map[string]any)["flows"] != "a,b" {
		t.Errorf("%v", got)
	}
	if got = fill(fs, map[string]any{"who": nil}); got["who"] != nil {
		t.Errorf("nothing became %v", got)
	}
}
