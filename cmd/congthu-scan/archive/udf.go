package archive

func (i *iso) udf() error {
	i.remark(Method, "udf")
	return nil
}
