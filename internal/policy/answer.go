package policy

import "congthu/internal/msg"

// deferral is what is said whenever nothing better is known: the sender keeps the
// message and tries again, and no inner detail leaves the house.
func deferral() msg.Reply {
	return msg.Reply{Code: 451, Detail: "3.0", Text: "Tam thoi chua xu ly duoc, xin gui lai / Temporarily unable to process, try again later"}
}

// Answer is the one reply that a DATA with these decisions gets. One DATA has one
// reply for all its recipients (RFC 5321 section 4.1.1.4), so:
//
//   - no decision, or any that defers: 4xx, the sender keeps everything;
//   - all reject: 5xx, the sender is told why;
//   - otherwise the gateway takes responsibility: 2xx. What was to be rejected for
//     some of the recipients must then be held, see Settle.
func Answer(ds []msg.Decision) msg.Reply {
	if len(ds) == 0 {
		return deferral()
	}
	rejected := 0
	for _, d := range ds {
		switch d.Action {
		case msg.Deliver, msg.Quarantine:
		case msg.Reject:
			rejected++
		default:
			return temporary(d.Reply)
		}
	}
	if rejected == len(ds) {
		return permanent(ds[0].Reply)
	}
	return msg.Reply{Code: 250, Detail: "0.0", Text: "Da nhan / Accepted"}
}

// Settle makes the decisions fit the answer: when the answer is 2xx, a rejection of
// some recipients can no longer be told in session, and a bounce could hit an
// innocent third party, so those copies are held for a reviewer.
func Settle(ds []msg.Decision) []msg.Decision {
	if !Answer(ds).Positive() {
		return ds
	}
	out := make([]msg.Decision, len(ds))
	copy(out, ds)
	for i := range out {
		if out[i].Action == msg.Reject {
			out[i].Action = msg.Quarantine
		}
	}
	return out
}

func temporary(r msg.Reply) msg.Reply {
	if r.Code/100 != 4 {
		return deferral()
	}
	return r
}

func permanent(r msg.Reply) msg.Reply {
	if !r.Permanent() {
		return msg.Reply{Code: 550, Detail: "7.1", Text: "Thu bi tu choi / Message refused by policy"}
	}
	return r
}
