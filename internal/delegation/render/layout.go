package render

import (
	"cmp"
	"slices"
	"strings"
)

// layout gives each box its place: layers that are empty are left out, and within a layer
// boxes stand near those that they are joined to.
func (d *drawing) layout() {
	for _, key := range sortedEdges(d.edges) {
		d.out.Edges = append(d.out.Edges, *d.edges[key])
	}
	var in [layers][]int
	for i := range d.out.Nodes {
		n := &d.out.Nodes[i]
		in[n.Layer] = append(in[n.Layer], i)
	}
	d.sort(&in)
	high := 0
	for _, l := range in {
		high = max(high, len(l))
	}
	d.out.Height = headHigh + float64(high)*(boxHigh+gapY)
	x := 1.0
	for layer, list := range in {
		if len(list) == 0 {
			continue
		}
		d.out.Heads = append(d.out.Heads, Head{heads[layer], x})
		y := headHigh + float64(high-len(list))*(boxHigh+gapY)/2
		for _, i := range list {
			d.out.Nodes[i].X, d.out.Nodes[i].Y = x, y
			y += boxHigh + gapY
		}
		x += boxWide + gapX
	}
	d.out.Width = max(x-gapX+1, 1)
}

// sort orders each layer by where its neighbours stand, to and fro: few lines cross then.
func (d *drawing) sort(in *[layers][]int) {
	nodes := d.out.Nodes
	for layer := range in {
		slices.SortFunc(in[layer], func(a, b int) int {
			x, y := &nodes[a], &nodes[b]
			return cmp.Or(rank(x)-rank(y), strings.Compare(strings.ToLower(x.Label), strings.ToLower(y.Label)), strings.Compare(x.key, y.key))
		})
		number(nodes, in[layer])
	}
	left, right := make([][]int, len(nodes)), make([][]int, len(nodes))
	for i := range d.out.Edges {
		e := &d.out.Edges[i]
		left[e.To], right[e.From] = append(left[e.To], e.From), append(right[e.From], e.To)
	}
	for sweep := range 4 {
		beside := left
		if sweep%2 == 1 {
			beside = right
		}
		for k := range layers {
			layer := k
			if sweep%2 == 1 {
				layer = layers - 1 - k
			}
			for _, i := range in[layer] {
				nodes[i].pull = nodes[i].order
				if len(beside[i]) > 0 {
					sum := 0.0
					for _, j := range beside[i] {
						sum += nodes[j].order
					}
					nodes[i].pull = sum / float64(len(beside[i]))
				}
			}
			slices.SortStableFunc(in[layer], func(a, b int) int { return cmp.Compare(nodes[a].pull, nodes[b].pull) })
			number(nodes, in[layer])
		}
	}
}

// rank puts what leads to Global Administrator first, and what is folded last.
func rank(n *Node) int {
	switch {
	case n.key == "rest":
		return 3
	case n.key == "?":
		return 2
	case n.Leads:
		return 0
	}
	return 1
}

// number gives boxes their order within a layer, between 0 and 1.
func number(nodes []Node, list []int) {
	for i, n := range list {
		nodes[n].order = (float64(i) + 0.5) / float64(len(list))
	}
}

func sortedEdges(m map[[2]int]*Edge) [][2]int {
	keys := make([][2]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	return keys
}
