package admin

import (
	"context"
	"errors"
	"net/http"

	"congthu/internal/lang"
	"congthu/internal/lessons"
	"congthu/internal/plain"
	"congthu/internal/token"
)

// Proposals is what the API needs of letters that users have reported. A caller sees and
// decides on what users of its own domains have reported.
type Proposals interface {
	Proposals(ctx context.Context, w token.Who, all bool, limit int) ([]lessons.Proposal, error)
	Proposal(ctx context.Context, w token.Who, id string) (ProposalView, error)
	Confirm(ctx context.Context, w token.Who, id string) (lessons.Lesson, error)
	Refuse(ctx context.Context, w token.Who, id string) error
}

// ProposalView is a reported letter as text.
type ProposalView struct {
	lessons.Proposal
	plain.View
}

type proposalList struct {
	All   bool `query:"all"`
	Limit int  `query:"limit" required:"true" min:"1" max:"10000"`
}

func (s Services) proposalRoutes() []Route {
	return []Route{
		get("/v1/proposals", token.Read, lang.T("thư người dùng báo lọc sai", "letters that users have reported"), on(func(ctx context.Context, w token.Who, q proposalList, _ none) ([]lessons.Proposal, error) {
			return orEmpty(s.Proposals.Proposals(ctx, w, q.All, q.Limit))
		})),
		act("GET", "/v1/proposals/{id}", token.Read, "proposal.show", lang.T("xem thư được báo", "a reported letter"), on(func(ctx context.Context, w token.Who, p oneID, _ none) (ProposalView, error) {
			v, err := s.Proposals.Proposal(ctx, w, p.ID)
			return v, proposalError(err)
		})),
		act("POST", "/v1/proposals/{id}/confirm", token.Review, "proposal.confirm", lang.T("học theo báo cáo", "learn what was reported"), on(func(ctx context.Context, w token.Who, p oneID, _ none) (lessons.Lesson, error) {
			x, err := s.Proposals.Confirm(ctx, w, p.ID)
			return x, proposalError(err)
		})),
		act("POST", "/v1/proposals/{id}/refuse", token.Review, "proposal.refuse", lang.T("không học theo báo cáo", "learn nothing from a report"), on(func(ctx context.Context, w token.Who, p oneID, _ none) (Count, error) {
			return Count{1}, proposalError(s.Proposals.Refuse(ctx, w, p.ID))
		})),
	}
}

func proposalError(err error) error {
	switch {
	case errors.Is(err, lessons.ErrNotFound):
		return &Problem{http.StatusNotFound, lang.T("không có báo cáo nào mang mã này; xem congthu learn proposals", "there is no report with this id; see congthu learn proposals")}
	case errors.Is(err, lessons.ErrDecided):
		return &Problem{http.StatusConflict, lang.T("báo cáo này đã có người xem xét", "somebody has decided on this report")}
	}
	return err
}

// Proposals lists what users have reported.
func (c *Client) Proposals(ctx context.Context, all bool, limit int) ([]lessons.Proposal, error) {
	return ask[[]lessons.Proposal](ctx, c, "GET", "/v1/proposals", proposalList{all, limit}, none{})
}

// Proposal shows a reported letter.
func (c *Client) Proposal(ctx context.Context, id string) (ProposalView, error) {
	return ask[ProposalView](ctx, c, "GET", "/v1/proposals/{id}", oneID{id}, none{})
}

// Confirm has the classifier learn what was reported.
func (c *Client) Confirm(ctx context.Context, id string) (lessons.Lesson, error) {
	return ask[lessons.Lesson](ctx, c, "POST", "/v1/proposals/{id}/confirm", oneID{id}, none{})
}

// Refuse decides that nothing is learned.
func (c *Client) Refuse(ctx context.Context, id string) error {
	_, err := c.count(ctx, "POST", "/v1/proposals/{id}/refuse", oneID{id}, none{})
	return err
}
