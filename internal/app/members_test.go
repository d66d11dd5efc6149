package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
)

// TestMembersFolder: the members of a group lie in a folder that is named after it, and the
// list is whole only where all its pages are there.
func TestMembersFolder(t *testing.T) {
	t.Parallel()
	const group, ada, ben = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
	member := func(id string) string { return `{"@odata.type":"#microsoft.graph.user","id":"` + id + `"}` }
	page := func(next string, ids ...string) string {
		out := `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directoryObjects",`
		if next != "" {
			out += `"@odata.nextLink":"` + next + `",`
		}
		out += `"value":[`
		for i, id := range ids {
			if i > 0 {
				out += ","
			}
			out += member(id)
		}
		return out + "]}"
	}
	for name, x := range map[string]struct {
		files   map[string]string
		members int
		whole   bool
	}{
		"one page":      {map[string]string{"members.json": page("", ada, ben)}, 2, true},
		"an array":      {map[string]string{"members.json": "[" + member(ada) + "]"}, 1, true},
		"two pages":     {map[string]string{"members-1.json": page("https://graph.microsoft.com/x", ada), "members-2.json": page("", ben)}, 2, true},
		"nobody":        {map[string]string{"members.json": page("")}, 0, true},
		"a page is cut": {map[string]string{"members.json": page("https://graph.microsoft.com/x", ada)}, 1, false},
		"one is broken": {map[string]string{"members.json": page("", ada), "members-2.json": `{"value":`}, 1, false},
		"too long":      {map[string]string{"members.json": page("", ada) + strings.Repeat(" ", 16<<20)}, 0, false},
		"no page":       {map[string]string{"members.json": `{"id":1}`}, 0, false},
	} {
		dir := t.TempDir()
		write := func(path, text string) {
			path = filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("groups.json", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#groups","value":[{"id":"`+group+`","displayName":"Desk","securityEnabled":true}]}`)
		write("users.json", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[`+
			`{"id":"`+ada+`","userPrincipalName":"ada@contoso.example"},{"id":"`+ben+`","userPrincipalName":"ben@contoso.example"}]}`)
		for file, text := range x.files {
			write("groups/"+group+"/"+file, text)
		}
		f, err := app.Read(t.Context(), app.Reading{From: []string{dir}, At: time.Now()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		g := f.Directory.Groups[group]
		st := f.Directory.Resolve(true)
		if g == nil || g.DisplayName != "Desk" || len(g.Members.Items) != x.members || (st.OpenGroups[group] == "") != x.whole {
			t.Errorf("%s: %+v, open because %q", name, g, st.OpenGroups[group])
		}
		if len(f.Directory.Users) != 2 {
			t.Errorf("%s: %d users", name, len(f.Directory.Users))
		}
	}
}
