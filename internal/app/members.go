package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"partnerguard/internal/delegation/use"
	"partnerguard/internal/evidence"
)

// The members of a group may lie in a folder of its own, groups/<id>/members.json, as GET
// /groups/{id}/members answers: such a page does not say whose they are, the folder does.
const (
	groupsFolder  = "groups"
	membersFile   = "members"
	maxMembers    = 16 << 20 // bytes of a file: a page of Graph's has 999 members at most
	maxGroupFiles = 200      // of a folder; one with more is read as everything is
)

// memberFolders are such folders within those that were named, by the group's id; what holds
// anything else beside the pages is read as everything is.
func memberFolders(from []string) map[string]string {
	out := map[string]string{}
	for _, p := range from {
		in := filepath.Join(p, groupsFolder)
		entries, err := os.ReadDir(in)
		if err != nil {
			continue // there is none, or reading tells
		}
		for _, e := range entries {
			id, ok := use.ObjectID(e.Name())
			if path := filepath.Join(in, e.Name()); ok && e.IsDir() && onlyMembers(path) {
				out[path] = id
			}
		}
	}
	return out
}

func onlyMembers(path string) bool {
	entries, err := os.ReadDir(path)
	return err == nil && len(entries) > 0 && len(entries) <= maxGroupFiles && !slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		name := strings.ToLower(e.Name())
		return !e.Type().IsRegular() || !strings.HasPrefix(name, membersFile) || filepath.Ext(name) != ".json"
	})
}

// membersOf brings the pages of a folder to one record of the group, and says of each file how
// it was read. Where a page is missing, or one cannot be read, the list is not whole.
func membersOf(path, id string) (raw []byte, inputs []evidence.Input) {
	group := struct {
		ID      string            `json:"id"`
		Members []json.RawMessage `json:"members"`
		Next    string            `json:"members@odata.nextLink,omitempty"`
	}{ID: id, Members: []json.RawMessage{}}
	entries, _ := os.ReadDir(path) // a folder that is gone has no members, and is not whole
	ends := 0
	for _, e := range entries {
		in := evidence.Input{Path: filepath.ToSlash(filepath.Join(path, e.Name())), Format: "json", Status: evidence.Read}
		list, next, err := membersPage(filepath.Join(path, e.Name()))
		if next == "" {
			ends++
		}
		if err != nil {
			in.Status, group.Next = evidence.Unreadable, "unread"
			in.Add(evidence.Note{Source: evidence.Source{Path: in.Path}, Message: "the members of group " + id + " could not be read: " + err.Error()})
		}
		group.Members = append(group.Members, list...)
		// Not counted as a list of groups: it is none.
		inputs = append(inputs, in)
	}
	if ends != 1 && group.Next == "" {
		group.Next = "open"
	}
	raw, _ = json.Marshal(group) // texts and raw JSON that was read
	return raw, inputs
}

// membersPage reads one page: Graph's, or a plain array.
func membersPage(path string) (list []json.RawMessage, next string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", errors.New("it cannot be opened")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMembers+1))
	switch {
	case err != nil:
		return nil, "", errors.New("it cannot be read")
	case len(b) > maxMembers:
		return nil, "", errors.New("it is too long")
	}
	if b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))); len(b) > 0 && b[0] == '[' {
		if json.Unmarshal(b, &list) != nil {
			return nil, "", errors.New("it is no JSON")
		}
		return list, "", nil
	}
	var page struct {
		Value *[]json.RawMessage `json:"value"`
		Next  string             `json:"@odata.nextLink"`
	}
	if json.Unmarshal(b, &page) != nil || page.Value == nil {
		return nil, "", errors.New("it is no page of Graph's")
	}
	return *page.Value, page.Next, nil
}
