package letters

// official is an ordinary Vietnamese official letter with a PDF.
func official(from, name, to, number string) []byte {
	return letter{
		from: from, name: name, to: to, id: "cong-van-" + number,
		subject: "Công văn số 12" + number + "/UBND-VP về việc báo cáo kết quả quý IV",
		parts: []part{
			text("plain", `Kính gửi: Văn thư cơ quan,

Thực hiện kế hoạch công tác năm, đề nghị Quý cơ quan gửi báo cáo kết quả
thực hiện quý IV về Văn phòng trước ngày 15 tháng 12. Biểu mẫu ở tệp kèm theo.

Trân trọng cảm ơn./.

Văn phòng
`),
			file("application/pdf", "Công văn 12"+number+".pdf", pdf("Cong van so 12"+number+"/UBND-VP")),
		},
	}.octets()
}

// spoof claims a domain whose DMARC policy is reject.
func spoof() []byte {
	return letter{
		from: "thong-bao@cuc-thue-mau.test", name: "Cục Mẫu", to: "van-thu@so-mau.gov.test", id: "thong-bao-nop-thue",
		subject: "Thông báo nộp hồ sơ quyết toán",
		parts: []part{text("plain", `Kính gửi Quý đơn vị,

Đề nghị đơn vị nộp hồ sơ quyết toán theo hướng dẫn mới trước cuối tháng.

Trân trọng.
`)},
	}.octets()
}

// phish shows one address and leads to another.
func phish() []byte {
	return letter{
		from: "ho-tro@canh-bao-24h.test", name: "Hỗ trợ VNeID", to: "can-bo@so-mau.gov.test", id: "dinh-danh",
		subject: "Khẩn: tài khoản định danh điện tử của bạn sẽ bị khóa",
		parts: []part{text("html", `<html><body>
<p>Kính gửi công dân,</p>
<p>Tài khoản định danh mức 2 trên ứng dụng VNeID chưa được cập nhật sinh trắc học.
Nếu không xác minh tài khoản trong vòng 24 giờ, tài khoản sẽ bị khóa.</p>
<p>Vui lòng bấm vào đường link: <a href="http://203.0.113.9/vneid/dang-nhap">https://vneid.gov.vn/dang-nhap</a></p>
<p>Trân trọng.</p>
</body></html>
`)},
	}.octets()
}

// advert is advertising without the label that the law asks for.
func advert() []byte {
	return letter{
		from: "tin@cua-hang-mau.test", name: "Cửa hàng Mẫu", to: "can-bo@so-mau.gov.test", id: "tin-so-1",
		subject: "Ưu đãi cuối năm, giảm giá 50% toàn bộ sản phẩm",
		parts: []part{text("plain", `Chào bạn,

Cửa hàng khuyến mãi lớn: giảm giá đến 50%, miễn phí vận chuyển, số lượng có hạn.
Đặt hàng hôm nay để nhận mã giảm giá. Gọi hotline tư vấn để mua ngay!

Muốn ngừng nhận thư, bấm hủy đăng ký.
`)},
	}.octets()
}

// eicar carries the test virus in a zip inside a zip.
func eicar() []byte {
	return letter{
		from: "ho-so@doi-tac-mau.test", name: "Đối tác Mẫu", to: "van-thu@so-mau.gov.test", id: "ho-so-du-thau",
		subject: "Hồ sơ dự thầu",
		parts: []part{
			text("plain", "Kính gửi Quý cơ quan,\n\nChúng tôi gửi hồ sơ dự thầu trong tệp nén kèm theo.\n\nTrân trọng.\n"),
			file("application/zip", "ho-so.zip", zipped("ho-so/ban-ve.zip", zipped("ban-ve.txt", Eicar()))),
		},
	}.octets()
}

// shortcut carries a Windows shortcut named like a document, in a zip.
func shortcut() []byte {
	return letter{
		from: "van-phong@tin-tuc-mau.test", name: "Văn phòng", to: "van-thu@so-mau.gov.test", id: "chi-thi",
		subject: "Chỉ thị về công tác cuối năm",
		parts: []part{
			text("plain", "Kính gửi các đồng chí,\n\nXin gửi toàn văn chỉ thị trong tệp kèm theo.\n"),
			file("application/zip", "chi-thi.zip", zipped("Chi thi.docx.lnk", lnk())),
		},
	}.octets()
}
