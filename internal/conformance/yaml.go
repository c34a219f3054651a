package conformance

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// Node is a place in a YAML document. Maps are read in order and may hold a key
// twice: published suites do.
type Node struct{ y *yaml.Node }

// Documents reads a YAML file of the suite.
func (s *Suite) Documents(name string) []Node {
	s.t.Helper()
	var out []Node
	dec := yaml.NewDecoder(bytes.NewReader(s.File(name)))
	for {
		var n yaml.Node
		err := dec.Decode(&n)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
		out = append(out, Node{n.Content[0]})
	}
}

// Pair is an entry of a map.
type Pair struct {
	Key   string
	Value Node
}

// Pairs returns the entries of a map in order; of anything else none.
func (n Node) Pairs() []Pair {
	if n.y == nil || n.y.Kind != yaml.MappingNode {
		return nil
	}
	var out []Pair
	for i := 0; i+1 < len(n.y.Content); i += 2 {
		out = append(out, Pair{n.y.Content[i].Value, Node{n.y.Content[i+1]}})
	}
	return out
}

// Get returns the value of a key, the zero Node if there is none.
func (n Node) Get(key string) Node {
	for _, p := range n.Pairs() {
		if p.Key == key {
			return p.Value
		}
	}
	return Node{}
}

// Given tells whether there is such a node.
func (n Node) Given() bool { return n.y != nil }

// List returns the elements of a sequence, or the node itself.
func (n Node) List() []Node {
	if n.y == nil {
		return nil
	}
	if n.y.Kind != yaml.SequenceNode {
		return []Node{n}
	}
	var out []Node
	for _, c := range n.y.Content {
		out = append(out, Node{c})
	}
	return out
}

// Text returns a scalar; the scalars of a list are joined.
func (n Node) Text() string {
	var b strings.Builder
	for _, e := range n.List() {
		if e.y.Kind == yaml.ScalarNode {
			b.WriteString(e.y.Value)
		}
	}
	return b.String()
}
