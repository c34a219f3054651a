// Package screen is the full-screen program in which a reviewer goes through held mail:
// one key a step, readable at 80 columns and 24 lines and over a slow line.
//
// Whatever comes from a message passes lang.Safe on its way to the terminal, here, in the
// one function that draws a line: no caller can forget it.
package screen

import (
	"context"
	"io"

	tea "charm.land/bubbletea/v2"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
)

// Desk is what the program asks of the gateway.
type Desk interface {
	// List returns held messages, newest first, with this text in them, and how many there are in all.
	List(ctx context.Context, text string) (items []quarantine.Item, total int, err error)
	Text(ctx context.Context, id string) ([]string, error) // the message, as lines of text
	Why(ctx context.Context, id string) ([]string, error)  // why it is held
	Release(ctx context.Context, id string, learn bool) (lang.Text, error)
	Delete(ctx context.Context, id string) (lang.Text, error)
	Undo(ctx context.Context, id string) (lang.Text, error)
	Approve(ctx context.Context, id string) (lang.Text, error)
	Learn(ctx context.Context, id string, spam bool) (lang.Text, error)
}

// Options are the parts of the program.
type Options struct {
	Desk Desk
	Lang lang.Lang
	Say  func(error) string // an error for a person, in that language
	Text string             // what the list is filtered by at first
	In   io.Reader
	Out  io.Writer
}

// Run shows the screen until the reviewer leaves it.
func Run(ctx context.Context, o Options) error {
	_, err := tea.NewProgram(newModel(ctx, o), tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out)).Run()
	if ctx.Err() != nil {
		return nil // told to end: that is no mistake
	}
	return err
}
