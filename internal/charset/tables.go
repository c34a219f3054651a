package charset

// The tables are facts of the standards: TCVN 5712:1993 (VN1), VISCII 1.11 (RFC 1456),
// windows-1252 from 0x80 to 0x9F.

const (
	tcvn3High = "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ" +
		"\u00a0ĂÂÊÔƠƯĐăâêôơưđẶ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
	visciiHigh = "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲ" +
		"Õắằặấầẩậẽẹếềểễệốồổỗ\u1ee0Ơộờởị\u1ef0ỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
	cp1252High = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
)

// Both sets have letters among the control octets; a mail has them as they are.
var (
	tcvn3 = table(tcvn3High, map[byte]rune{
		0x01: 'Ú', 0x02: 'Ụ', 0x04: 'Ừ', 0x05: 'Ử', 0x06: 'Ữ', 0x11: 'Ứ', 0x12: 'Ự', 0x13: 'Ỳ', 0x14: 'Ỷ', 0x15: 'Ỹ', 0x16: 'Ý', 0x17: 'Ỵ',
	})
	viscii = table(visciiHigh, map[byte]rune{0x02: 'Ẳ', 0x05: 'Ẵ', 0x06: 'Ẫ', 0x14: 'Ỷ', 0x19: 'Ỹ', 0x1E: 'Ỵ'})
	cp1252 = [32]rune([]rune(cp1252High))
)

func table(high string, low map[byte]rune) (t [256]rune) {
	for i := range 128 {
		t[i] = rune(i)
	}
	for c, r := range low {
		t[c] = r
	}
	i := 128
	for _, r := range high {
		t[i] = r
		i++
	}
	return t
}

// toCP1252 gives back the octet of a letter of windows-1252 beyond Latin-1.
var toCP1252 = func() map[rune]byte {
	m := map[rune]byte{}
	for i, r := range cp1252 {
		m[r] = byte(0x80 + i)
	}
	return m
}()
