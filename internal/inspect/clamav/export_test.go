package clamav

import "io"

// Answer reads clamd's answer to a question and what it means.
func Answer(r io.Reader) (name string, err error) {
	reply, err := answer(r)
	if err != nil {
		return "", err
	}
	return verdict(reply)
}
