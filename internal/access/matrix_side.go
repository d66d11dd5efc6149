package access

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Find is the cell of a sign-in: its class of accounts and column. False where it is in
// none, as where its place is not known.
func (m *Matrix) Find(s *SignIn) (who, col int, ok bool) {
	if m.whoOf == nil {
		m.index()
	}
	p := m.e.Point(s)
	place, client := p.Classes[dimLocation], p.Classes[dimClient]
	if s.User < 0 || s.User >= len(m.whoOf) || place < 0 || client < 0 {
		return 0, 0, false
	}
	w, place, client := m.whoOf[s.User], m.sideOf[0][place], m.sideOf[1][client]
	if w < 0 || place < 0 || client < 0 {
		return 0, 0, false
	}
	return int(w), m.Column(int(place), int(client)), true
}

// index finds the classes of subjects, places and clients.
func (m *Matrix) index() {
	fill := func(n int) []int32 {
		out := make([]int32, n)
		for i := range out {
			out[i] = -1
		}
		return out
	}
	m.whoOf = fill(m.e.subjectCount())
	for w := range m.Who {
		for _, s := range m.Who[w].cohort.subjects {
			m.whoOf[s] = int32(w)
		}
	}
	for k, of := range []struct {
		l    dimID
		list []MatrixSide
	}{{dimLocation, m.Places}, {dimClient, m.Clients}} {
		m.sideOf[k] = fill(len(m.e.dims[of.l].labels))
		for i := range of.list {
			for _, c := range of.list[i].classes {
				m.sideOf[k][c] = int32(i)
			}
		}
	}
}

// sides groups classes of a dimension that none of the policies of want tells apart.
func (m *Matrix) sides(l dimID, want mask, apart func(int) string, with func(int) []int) (out []MatrixSide) {
	d := &m.e.dims[l]
	at := map[string]int{}
	for c := range d.labels {
		if d.blur != nil && d.blur[c] || d.phantom != nil && d.phantom[c] {
			continue
		}
		all := append([]int{c}, with(c)...)
		if d.vague != nil && d.vague[c] && len(all) == 1 {
			continue // what it may be are places of their own
		}
		key := []byte(apart(c))
		for _, k := range all {
			for w := range want {
				key = binary.LittleEndian.AppendUint64(key, d.sure[k][w]&want[w])
				key = binary.LittleEndian.AppendUint64(key, d.could[k][w]&want[w])
			}
		}
		n, ok := at[string(key)]
		if !ok {
			n = len(out)
			at[string(key)] = n
			out = append(out, MatrixSide{})
		}
		out[n].classes = append(out[n].classes, all...)
		if !slices.Contains(out[n].Values, d.labels[c]) { // addresses of both versions may be called alike
			out[n].Values = append(out[n].Values, d.labels[c])
		}
	}
	for i := range out {
		slices.Sort(out[i].classes)
		out[i].Key = short(out[i].Values...)
	}
	return out
}

func (m *Matrix) clients(want mask) {
	m.Clients = m.sides(dimClient, want, func(c int) string {
		if c >= clientEAS {
			return "legacy"
		}
		return "modern"
	}, func(int) []int { return nil })
	words := []string{"browser", "native", "device-code", "transfer", "eas", "other"}
	for i := range m.Clients {
		s := &m.Clients[i]
		s.Sample = words[s.classes[0]]
		switch {
		case slices.Equal(s.classes, []int{clientBrowser, clientNative, clientDeviceCode, clientTransfer}):
			s.Name = "modern clients"
		case slices.Equal(s.classes, []int{clientBrowser, clientNative}), slices.Equal(s.classes, []int{clientBrowser, clientNative, clientTransfer}):
			s.Name = "browsers and apps"
		case slices.Equal(s.classes, []int{clientEAS, clientOther}):
			s.Name = "legacy clients"
			s.Sample = "other"
		case slices.Contains(s.classes, clientBrowser):
			s.Name = "browsers, apps and " + strings.Join(s.Values[min(2, len(s.Values)):], ", ")
		default:
			s.Name = strings.Join(s.Values, ", ")
		}
	}
}

func (m *Matrix) places(want mask) {
	geo := m.e.geo
	m.Places = m.sides(dimLocation, want, func(int) string { return "" }, func(c int) (may []int) {
		for k := range geo.places {
			if geo.places[k].from == c+1 {
				may = append(may, k)
			}
		}
		return may
	})
	for i := range m.Places {
		s := &m.Places[i]
		s.Name = strings.Join(s.Values[:min(2, len(s.Values))], ", ")
		if n := len(s.Values) - 2; n > 0 {
			s.Name += fmt.Sprintf(" and %d more", n)
		}
		if len(m.Places) == 1 {
			s.Name = "anywhere"
		}
	}
	// Where most sign-ins that nobody has in mind come from is the last.
	slices.SortStableFunc(m.Places, func(a, b MatrixSide) int {
		return compareBools(slices.Contains(a.classes, geo.home), slices.Contains(b.classes, geo.home))
	})
}
